/**
 * Walks the messages of `transitions.arrow` from the front, by their headers only. The footer is never read: a
 * recording that was killed has none, and a stranger's may lie.
 */

import fs from "node:fs";
import { errorCode, errorText, isFileError, TraceError } from "../format/errors.ts";
import { MAX_METADATA_BYTES } from "../format/metadata.ts";
import { type Message, parseMessage, spanText } from "./message.ts";

/** Bytes of `ARROW1` and its padding before the first message. */
const STREAM_START = 8;
const MAGIC = "ARROW1";
/** Continuation marker and metadata length. */
export const PREFIX_BYTES = 8;

/** Bytes read of a message at first: keyframes and decisions, which come last, mostly stay on disk. */
const FIRST_READ = 8192;
/** A header from elsewhere may have its tables behind its texts; it is kept in memory up to them, so not beyond any length. */
const MAX_HEAD_BYTES = 16 * 1024 * 1024;

export interface PlacedMessage {
  readonly message: Message;
  /** Place of the message's prefix in the file. */
  readonly offset: number;
  /** Place of the flatbuffer in the file. */
  readonly metadataOffset: number;
  readonly metadataLength: number;
  /** So much of the flatbuffer holds everything but metadata texts. */
  readonly headLength: number;
  /** First byte after the body. */
  readonly nextOffset: number;
  /** The metadata text of that key, or its first bytes; undefined when there is none. To be asked before the walk goes on. */
  text(key: string, most?: number): string | undefined;
}

/** Why a walk ended: the end-of-stream marker, or bytes that are missing or broken. */
interface WalkEnd {
  /** First byte that could not be used. */
  readonly offset: number;
  readonly why: string;
}

/** Read `length` bytes at `offset`, into `bytes` when given; shorter at the end of the file. */
function readAt(fd: number, offset: number, length: number, bytes: Buffer = Buffer.allocUnsafeSlow(length)): Buffer {
  let done = 0;
  while (done < length) {
    const got = fs.readSync(fd, bytes, done, length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return bytes.subarray(0, done);
}

/** A failing disk as an error a person can act on; any other error as it is. */
export function readError(path: string, place: string, error: unknown): unknown {
  if (!isFileError(errorCode(error))) return error;
  return new TraceError(path, place, `cannot be read (${errorText(error)})`, "Use another copy of the trace", { cause: error });
}

/** Read bytes that were there when the file was opened. Throws TraceError. */
export function readWhole(path: string, fd: number, place: string, offset: number, length: number, into?: Buffer): Buffer {
  let bytes: Buffer;
  try {
    bytes = readAt(fd, offset, length, into);
  } catch (error) {
    throw readError(path, place, error);
  }
  if (bytes.length === length) return bytes;
  throw new TraceError(path, place, "the file became shorter while it was open", "Open it again");
}

export const hasMagic = (fd: number): boolean => readAt(fd, 0, MAGIC.length).toString("latin1") === MAGIC;

/** Yields each whole message in order; returns why it stopped. `size` is the length of the file. */
export function* walkMessages(fd: number, size: number): Generator<PlacedMessage, WalkEnd> {
  let offset = STREAM_START;
  let memory = Buffer.allocUnsafeSlow(FIRST_READ);
  /** The first bytes of the message at `offset`. Fresh memory for each would cost more than the reading. */
  const read = (length: number): Buffer => {
    if (memory.length < length) memory = Buffer.allocUnsafeSlow(length);
    return readAt(fd, offset, length, memory);
  };
  for (;;) {
    const broken = (why: string): WalkEnd => ({ offset, why });
    let bytes = read(FIRST_READ);
    if (bytes.length < PREFIX_BYTES) return broken("the file ends before the end of the stream");
    if (bytes.readUInt32LE(0) !== 0xffff_ffff) return broken("no message begins here");
    const length = bytes.readInt32LE(4);
    if (length === 0) return { offset: offset + PREFIX_BYTES, why: "end of stream" };
    const metadataOffset = offset + PREFIX_BYTES;
    const bodyOffset = metadataOffset + length;
    if (length < 0 || length > MAX_METADATA_BYTES) return broken(`a message header of ${length} bytes`);
    if (bodyOffset > size) return broken("the message header is cut off");
    /** What is there of the flatbuffer; all of it, if `end` is beyond that. */
    const flatbuffer = (end: number): Buffer => {
      if (PREFIX_BYTES + end > bytes.length) bytes = read(PREFIX_BYTES + length);
      return bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
    };
    let headLength = Math.min(length, FIRST_READ - PREFIX_BYTES);
    let message = parseStart(flatbuffer(0), length);
    if (message === null && length <= MAX_HEAD_BYTES) {
      headLength = length;
      message = parseStart(flatbuffer(length), length);
    }
    if (message === null) return broken("the message header does not hold together");
    const nextOffset = bodyOffset + message.bodyLength;
    if (nextOffset > size) return broken("the message body is cut off");
    const text = (key: string, most = Number.POSITIVE_INFINITY): string | undefined => {
      const span = message.metadata.get(key);
      if (span === undefined) return undefined;
      const wanted = { offset: span.offset, length: Math.min(span.length, most) };
      return spanText(flatbuffer(wanted.offset + wanted.length), wanted);
    };
    yield { message, offset, metadataOffset, metadataLength: length, headLength, nextOffset, text };
    // No other header is as long as the schema's, which has the scenario in it.
    if (message.type === "schema") memory = Buffer.allocUnsafeSlow(FIRST_READ);
    offset = nextOffset;
  }
}

/** The message, or null when it does not hold together, perhaps for want of bytes. */
function parseStart(bytes: Buffer, whole: number): Message | null {
  try {
    return parseMessage(bytes, whole);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
