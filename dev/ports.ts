import { connect, createServer } from 'node:net'

export const localhost = '127.0.0.1'

/**
 * Busy means: somebody answers there, or we may not listen there. Both are asked,
 * because macOS lets a second program listen beside one that holds 0.0.0.0.
 */
export async function isBusy(port: number): Promise<boolean> {
  return (await answers(port)) || (await listenOnce(port)) === null
}

/** @returns the preferred port, if there is one and it is free; otherwise another that is */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && preferred <= 65_535 && !(await isBusy(preferred))) return preferred
  const port = await listenOnce(0)
  if (port === null) throw new Error('The system has no free port on 127.0.0.1.')
  return port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: localhost, port, timeout: 1_000 })
    const settle = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ host: localhost, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
    })
  })
}
