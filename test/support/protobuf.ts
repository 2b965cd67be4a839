/** Reads messages of Protocol Buffers without a schema. Shares no code with the writer. Source: https://protobuf.dev/programming-guides/encoding/. */

/** By field, in order: bigint of a varint, Buffer of a fixed64 or of what is delimited. */
export type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

export function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error(`no varint at byte ${at}`);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const type = key & 7;
    let value: bigint | Buffer;
    if (type === 0) value = varint();
    else {
      if (type !== 1 && type !== 2) throw new Error(`wire type ${type}`);
      const length = type === 1 ? 8 : Number(varint());
      if (at + length > bytes.length) throw new Error(`a field of ${length} bytes at ${at} of ${bytes.length}`);
      value = bytes.subarray(at, at + length);
      at += length;
    }
    const list = fields.get(key >> 3) ?? [];
    list.push(value);
    fields.set(key >> 3, list);
  }
  return fields;
}

export const messages = (fields: Fields, field: number): Fields[] => (fields.get(field) ?? []).map((value) => fieldsOf(value as Buffer));
export const message = (fields: Fields, field: number): Fields | undefined => messages(fields, field)[0];
export const text = (fields: Fields | undefined, field: number): string | undefined =>
  (fields?.get(field)?.[0] as Buffer | undefined)?.toString();
export function number(fields: Fields | undefined, field: number): number | undefined {
  const value = fields?.get(field)?.[0];
  return value === undefined ? undefined : Number(typeof value === "bigint" ? BigInt.asIntN(64, value) : value.readBigUInt64LE());
}
