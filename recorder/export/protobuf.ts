/**
 * Writes messages in the wire format of Protocol Buffers, one behind the other into the same memory: no object for a message.
 * Source: "Encoding", https://protobuf.dev/programming-guides/encoding/. Numbers are whole, not negative and below 2^53, unless said otherwise.
 */

export interface ProtoWriter {
  /** Field of a varint. */
  number(field: number, value: number): void;
  /** Field of an int64: a varint, two's complement. */
  signed(field: number, value: number): void;
  /** Field of 8 bytes, little-endian. */
  fixed64(field: number, value: number): void;
  text(field: number, value: string): void;
  /** Begins a message in a field; what is written up to `close` of the place that this gives is in it. */
  open(field: number): number;
  close(place: number): void;
  /** A copy of all that was written; the writer is empty again. No message may be open. */
  take(): Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
/** The longest varint. */
const VARINT_BYTES = 10;
/** The length of a message is not known at its begin: room for it, with padding, as perfetto's own writer leaves. Up to 2^28. */
const LENGTH_BYTES = 4;
const FIRST_BYTES = 1 << 16;

const encoder = new TextEncoder();

export function createProtoWriter(): ProtoWriter {
  let buffer = new Uint8Array(FIRST_BYTES);
  let length = 0;

  const room = (more: number): void => {
    if (length + more <= buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * buffer.length, length + more));
    larger.set(buffer.subarray(0, length));
    buffer = larger;
  };
  const varint = (value: number): void => {
    room(VARINT_BYTES);
    let rest = value;
    // Beyond 2^31: without the operators on 32 bits.
    while (rest >= 0x80) {
      buffer[length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[length++] = rest;
  };
  const key = (field: number, type: number): void => varint(field * 8 + type);

  return {
    number(field, value) {
      key(field, VARINT);
      varint(value);
    },
    signed(field, value) {
      key(field, VARINT);
      if (value >= 0) return varint(value);
      room(VARINT_BYTES);
      // The complement of -value - 1, seven bits at a time, and the sign's bits above them.
      let rest = -value - 1;
      for (let i = 0; i < VARINT_BYTES - 1; i += 1) {
        buffer[length++] = 0xff - (rest % 0x80);
        rest = Math.floor(rest / 0x80);
      }
      buffer[length++] = 1;
    },
    fixed64(field, value) {
      key(field, FIXED64);
      room(8);
      let rest = value;
      for (let i = 0; i < 8; i += 1) {
        buffer[length++] = rest % 0x100;
        rest = Math.floor(rest / 0x100);
      }
    },
    text(field, value) {
      key(field, DELIMITED);
      const bytes = encoder.encode(value);
      varint(bytes.length);
      room(bytes.length);
      buffer.set(bytes, length);
      length += bytes.length;
    },
    open(field) {
      key(field, DELIMITED);
      room(LENGTH_BYTES);
      length += LENGTH_BYTES;
      return length;
    },
    close(place) {
      let rest = length - place;
      for (let i = 1; i <= LENGTH_BYTES; i += 1) {
        buffer[place - LENGTH_BYTES + i - 1] = (rest & 0x7f) | (i < LENGTH_BYTES ? 0x80 : 0);
        rest >>= 7;
      }
      if (rest > 0) throw new Error(`a message of ${length - place} bytes`);
    },
    take() {
      const bytes = buffer.slice(0, length);
      length = 0;
      return bytes;
    },
  };
}
