/** What is used of ar-async, which comes without types. */
declare module 'ar-async' {
  export interface ArEntry {
    /** The content, from a file descriptor of its own once the reader has closed its own. */
    fileData(): AsyncIterable<Uint8Array>;
  }
  interface Reader {
    on(event: 'entry', listener: (entry: ArEntry, next: () => void) => void): void;
    on(event: 'close', listener: () => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
  }
  const ar: { readonly ArReader: new (path: string) => Reader };
  export default ar;
}
