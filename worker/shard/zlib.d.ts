/** What is used of it: the types of Workers leave Node's modules out. */
declare module 'node:zlib' {
  export function deflateRawSync(text: string, options: { level: number }): Uint8Array
}
