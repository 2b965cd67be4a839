/** The native part of better-sqlite3, asked for by its place: the package tries a dozen, an error for each that is none. */
module.exports = () => require("better-sqlite3/build/Release/better_sqlite3.node");
