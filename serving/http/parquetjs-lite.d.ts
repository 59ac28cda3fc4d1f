/** The part of parquetjs-lite that is used here; the package has no types of its own. */
declare module 'parquetjs-lite' {
  export class ParquetSchema {
    constructor(
      fields: Record<
        string,
        { type?: string; optional?: boolean; repeated?: boolean; fields?: Record<string, { type: string }> }
      >,
    )
  }
  export interface OutputStream {
    write(bytes: Uint8Array, done: (error?: Error) => void): void
    end(done: (error?: Error) => void): void
  }
  export class ParquetWriter {
    static openStream(schema: ParquetSchema, stream: OutputStream): Promise<ParquetWriter>
    setRowGroupSize(rows: number): void
    appendRow(row: Record<string, unknown>): Promise<void>
    close(): Promise<void>
  }
  export class ParquetReader {
    static openBuffer(bytes: Uint8Array): Promise<ParquetReader>
    getCursor(): { next(): Promise<Record<string, unknown> | null> }
  }
}
