/*
 * A ceiling for recording: what SQLite's own interface does when a C program inserts ready rows with a prepared statement.
 *
 * usage: sqlite-ceiling ROWS DATABASE TYPES CREATE INSERT
 *
 * ROWS is a file of blocks: the number of rows as a 64-bit integer, then each column, padded to 8 bytes. TYPES has a letter for each
 * column: B H I are unsigned integers of 1, 2, 4 bytes, b h i signed ones, d a double that holds an integer. CREATE makes the table,
 * INSERT takes the row's number and then the columns. The rows are in memory before the clock starts; it stops when the database is
 * closed. Prints milliseconds.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "sqlite3.h"

static sqlite3 *db;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "");
  exit(1);
}

static void run(const char *sql) {
  if (sqlite3_exec(db, sql, 0, 0, 0) != SQLITE_OK) fail(sql);
}

static size_t width(char type) {
  switch (type) {
    case 'B': case 'b': return 1;
    case 'H': case 'h': return 2;
    case 'I': case 'i': return 4;
    case 'd': return 8;
  }
  fprintf(stderr, "unknown type %c\n", type);
  exit(1);
}

static int64_t value(char type, const char *column, int64_t row) {
  switch (type) {
    case 'B': return ((const uint8_t *)column)[row];
    case 'b': return ((const int8_t *)column)[row];
    case 'H': return ((const uint16_t *)column)[row];
    case 'h': return ((const int16_t *)column)[row];
    case 'I': return ((const uint32_t *)column)[row];
    case 'i': return ((const int32_t *)column)[row];
  }
  return (int64_t)((const double *)column)[row];
}

static char *whole(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char *bytes;
  if (!file || fseek(file, 0, SEEK_END) != 0) fail(path);
  *size = (size_t)ftell(file);
  rewind(file);
  bytes = malloc(*size);
  if (!bytes || fread(bytes, 1, *size, file) != *size) fail(path);
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  size_t size, at = 0;
  char *bytes;
  const char *types;
  int columns;
  int64_t seq = 0;
  sqlite3_stmt *insert;
  struct timespec began, ended;

  if (argc != 6) {
    fprintf(stderr, "usage: sqlite-ceiling ROWS DATABASE TYPES CREATE INSERT\n");
    return 2;
  }
  bytes = whole(argv[1], &size);
  types = argv[3];
  columns = (int)strlen(types);

  clock_gettime(CLOCK_MONOTONIC, &began);
  if (sqlite3_open(argv[2], &db) != SQLITE_OK) fail(argv[2]);
  /* As fast as it goes: no journal, no waiting for the disk, no other connection. */
  run("PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
      "PRAGMA cache_size = -64000");
  run(argv[4]);
  run("BEGIN");
  if (sqlite3_prepare_v2(db, argv[5], -1, &insert, 0) != SQLITE_OK) fail(argv[5]);
  while (at < size) {
    int64_t rows, row;
    const char *column[64];
    int c;
    memcpy(&rows, bytes + at, 8);
    at += 8;
    for (c = 0; c < columns; c++) {
      column[c] = bytes + at;
      at += ((size_t)rows * width(types[c]) + 7) / 8 * 8;
    }
    for (row = 0; row < rows; row++) {
      sqlite3_bind_int64(insert, 1, seq++);
      for (c = 0; c < columns; c++) sqlite3_bind_int64(insert, c + 2, value(types[c], column[c], row));
      if (sqlite3_step(insert) != SQLITE_DONE) fail("insert");
      sqlite3_reset(insert);
    }
  }
  sqlite3_finalize(insert);
  run("COMMIT");
  if (sqlite3_close(db) != SQLITE_OK) fail("close");
  clock_gettime(CLOCK_MONOTONIC, &ended);
  printf("%.3f\n", (double)(ended.tv_sec - began.tv_sec) * 1e3 + (double)(ended.tv_nsec - began.tv_nsec) / 1e6);
  return 0;
}
