import { connect, type Socket } from 'node:net'

/**
 * A WebSocket client that costs next to nothing, so that on a machine of two cores what is
 * measured is the server. It reads text frames and deflated ones, answers pings, and decodes no
 * text: it hands over the bytes, and a frame whose beginning `known` recognises is not even put
 * together.
 *
 * All contestants are read by it. It favours those who send many small frames.
 */
export type Reader<Frame> = {
  opened(): void
  /** @returns what this beginning of a frame stands for, if such a frame was read before */
  known(head: Buffer, bytes: number): Frame | undefined
  /** @param message a whole frame, deflated if `binary`; valid only during the call */
  read(message: Buffer, binary: boolean): Frame
  /** @param bytes of it on the wire */
  heard(frame: Frame, bytes: number): void
  closed(code: number | null): void
}

/** Of a long frame, what must have come before it is asked whether it is known. */
export const HEAD_BYTES = 160
const TEXT = 1
const BINARY = 2
const shared = Buffer.allocUnsafe(256 * 1024)

export class WebSocketClient<Frame> {
  readonly #reader: Reader<Frame>
  readonly #socket: Socket
  #upgraded = false
  /** Bytes of a frame that has not arrived in whole: its header at least. */
  #rest: Buffer | null = null
  #filled = 0
  #skip: Skip<Frame> | null = null
  #closed = false

  constructor({ port, path }: { port: number; path: string }, reader: Reader<Frame>) {
    this.#reader = reader
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        // One for all: what is read is looked at before the next read begins.
        buffer: shared,
        callback: (bytes: number) => {
          this.#onBytes(shared.subarray(0, bytes))
          return true
        },
      },
    })
    this.#socket.on('connect', () => this.#socket.write(upgrade(port, path)))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#end(null))
  }

  send(text: string): void {
    this.#frame(1, Buffer.from(text))
  }

  /** Reads nothing until it is resumed: what is sent waits on the way, and then at the sender. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  destroy(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #onBytes(chunk: Buffer): void {
    let bytes = chunk
    if (this.#skip) {
      const { skip, rest } = this.#skipOver(this.#skip, bytes)
      if (skip) return
      bytes = rest
    }
    if (this.#rest) {
      const whole = this.#fill(this.#rest, bytes)
      if (whole === null) return
      bytes = whole
    }
    if (!this.#upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return this.#keep(bytes)
      if (!bytes.subarray(0, end).includes(' 101 ')) return this.#end(null)
      this.#upgraded = true
      this.#reader.opened()
      bytes = bytes.subarray(end + 4)
    }
    this.#onFrames(bytes)
  }

  #onFrames(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.#closed; ) {
      const header = readHeader(bytes, at)
      if (header === null) return this.#keep(bytes.subarray(at))
      const { start, size, opcode } = header
      if (start + size <= bytes.length) {
        this.#onFrame(opcode, bytes.subarray(start, start + size))
        at = start + size
        continue
      }
      const head = bytes.subarray(start, start + HEAD_BYTES)
      const frame =
        carriesChanges(opcode) && head.length === HEAD_BYTES
          ? this.#reader.known(head, size)
          : undefined
      if (frame === undefined) return this.#keep(bytes.subarray(at), start - at + size)
      this.#skip = { bytes: start + size - bytes.length, size, frame }
      return
    }
  }

  #skipOver(skip: Skip<Frame>, bytes: Buffer): { skip: boolean; rest: Buffer } {
    if (skip.bytes > bytes.length) {
      skip.bytes -= bytes.length
      return { skip: true, rest: bytes }
    }
    this.#skip = null
    this.#reader.heard(skip.frame, skip.size)
    return { skip: bytes.length === skip.bytes, rest: bytes.subarray(skip.bytes) }
  }

  /** @param size how long what is kept will be when it is whole, as far as is known */
  #keep(bytes: Buffer, size = 0): void {
    this.#rest = Buffer.allocUnsafe(Math.max(size, bytes.length))
    this.#filled = bytes.copy(this.#rest)
  }

  /** @returns null while more is to come */
  #fill(rest: Buffer, bytes: Buffer): Buffer | null {
    const missing = rest.length - this.#filled
    if (bytes.length < missing) {
      this.#filled += bytes.copy(rest, this.#filled)
      return null
    }
    this.#rest = null
    bytes.copy(rest, this.#filled, 0, missing)
    return missing === bytes.length ? rest : Buffer.concat([rest, bytes.subarray(missing)])
  }

  #onFrame(opcode: number, text: Buffer): void {
    if (carriesChanges(opcode))
      this.#reader.heard(
        this.#reader.known(text, text.length) ?? this.#reader.read(text, opcode === BINARY),
        text.length,
      )
    else if (opcode === 9) this.#frame(10, text)
    else if (opcode === 8) {
      this.#end(text.length >= 2 ? text.readUInt16BE(0) : null)
      this.#socket.destroy()
    }
  }

  #frame(opcode: number, text: Buffer): void {
    // A client masks what it sends; four zeros are a mask too.
    const header = Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0])
    this.#socket.write(Buffer.concat([header, text]))
  }

  #end(code: number | null): void {
    if (this.#closed) return
    this.#closed = true
    this.#reader.closed(code)
  }
}

/** A frame that is known already, of which so many bytes are still to come. */
type Skip<Frame> = { bytes: number; size: number; frame: Frame }

function carriesChanges(opcode: number): boolean {
  return opcode === TEXT || opcode === BINARY
}

function readHeader(
  bytes: Buffer,
  at: number,
): { start: number; size: number; opcode: number } | null {
  if (bytes.length < at + 2) return null
  const opcode = (bytes[at] as number) & 15
  const short = (bytes[at + 1] as number) & 127
  if (short < 126) return { start: at + 2, size: short, opcode }
  if (bytes.length < at + 10) return null
  return short === 126
    ? { start: at + 4, size: bytes.readUInt16BE(at + 2), opcode }
    : { start: at + 10, size: Number(bytes.readBigUInt64BE(at + 2)), opcode }
}

function upgrade(port: number, path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
}
