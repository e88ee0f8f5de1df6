import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { serveNeonEndpoint } from '../../dev/neon-endpoint.ts'
import { freePort } from '../../dev/ports.ts'
import { within } from '../support/deadline.ts'
import type { DialectName } from './load/dialects.ts'
import type { Capture } from './postgres.ts'
import type { Launch, Part, Stage } from './stage.ts'
import { workerdLaunch } from './workerd.ts'

/** Whose tokens the worker takes. */
export const AUTH_SECRET = 'the secret of the bench, with which users are signed in'

/** One way from a row to a socket. Each of its parts is a process of its own. */
export type Contestant = {
  name: ContestantName
  title: string
  capture: Capture
  dialect: DialectName
  start(databaseUrl: string): Promise<Running>
}

export type ContestantName = 'belfry' | 'ws' | 'socket.io' | 'redis'

export type Running = {
  port: number
  parts(): Part[]
  /** Kills the part that holds the sockets, and starts it again. */
  restart(): Promise<void>
  stop(): Promise<void>
  /** Belfry's own counts; a peer has none. */
  metrics(): Promise<{ [name: string]: number }>
}

export function contestants(stage: Stage, bundle: string, redisServer: string | null) {
  const all: Contestant[] = [belfry(stage, bundle)]
  all.push(
    onePeer(stage, { name: 'ws', title: 'pg_notify → ws', dialect: 'plain' }, 'notify-ws.ts'),
    onePeer(
      stage,
      { name: 'socket.io', title: 'pg_notify → Socket.IO', dialect: 'socket.io' },
      'notify-socket-io.ts',
    ),
  )
  if (redisServer) all.push(redisPeer(stage, redisServer))
  return all
}

function belfry(stage: Stage, bundle: string): Contestant {
  return {
    name: 'belfry',
    title: 'Belfry',
    capture: 'belfry',
    dialect: 'belfry',
    async start(databaseUrl) {
      const port = await somePort()
      const url = `http://127.0.0.1:${port}`
      const secrets = { DATABASE_URL: databaseUrl, LINK_SECRET: 'bench link', ADMIN_TOKEN: 'bench' }
      const neon = await serveNeonEndpoint(databaseUrl, await somePort())
      const vars = { NEON_ENDPOINT: neon.url, AUTH_SECRET }
      const launch = workerdLaunch(bundle, port, secrets, { vars })
      let worker = await stage.start('workerd', launch)
      await within(20_000, 'workerd answer', untilHealthy(url, worker))
      const env = { DATABASE_URL: databaseUrl, FEED_URL: url, LINK_SECRET: secrets.LINK_SECRET }
      const healthPort = await somePort()
      const listener = await stage.start(
        'listener',
        node('../../listener/main.ts', { ...env, PORT: String(healthPort) }),
        /linked to the feed/,
      )
      return {
        port,
        parts: () => [worker, listener],
        restart: async () => {
          await worker.stop('SIGKILL')
          worker = await stage.start('workerd', launch)
        },
        stop: async () => {
          await listener.stop()
          await worker.stop('SIGKILL')
          await neon.close()
        },
        metrics: () => readMetrics(healthPort),
      }
    },
  }
}

function onePeer(
  stage: Stage,
  peer: Pick<Contestant, 'name' | 'title' | 'dialect'>,
  module: string,
): Contestant {
  return {
    ...peer,
    capture: 'pg_notify(row)',
    async start(databaseUrl) {
      const port = await somePort()
      const env = { DATABASE_URL: databaseUrl, PORT: String(port) }
      const launch = () => stage.start('node', node(`./peers/${module}`, env), /^ready$/)
      let server = await launch()
      return {
        port,
        parts: () => [server],
        restart: async () => {
          await server.stop('SIGKILL')
          server = await launch()
        },
        stop: () => server.stop('SIGKILL'),
        metrics: async () => ({}),
      }
    },
  }
}

function redisPeer(stage: Stage, command: string): Contestant {
  return {
    name: 'redis',
    title: 'pg_notify → Redis → ws',
    capture: 'pg_notify(row)',
    dialect: 'plain',
    async start(databaseUrl) {
      const [port, redisPort] = [await somePort(), await somePort()]
      const args = ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp']
      const redis = await stage.start('redis', { command, args }, /Ready to accept connections/)
      const env = { DATABASE_URL: databaseUrl, PORT: `${port}`, REDIS_PORT: `${redisPort}` }
      const launch = () => stage.start('node (ws)', node('./peers/redis-ws.ts', env), /^ready$/)
      let server = await launch()
      const bridge = await stage.start(
        'node (LISTEN)',
        node('./peers/notify-redis.ts', env),
        /^ready$/,
      )
      return {
        port,
        parts: () => [server, bridge, redis],
        restart: async () => {
          await server.stop('SIGKILL')
          server = await launch()
        },
        stop: async () => {
          for (const part of [bridge, server, redis]) await part.stop('SIGKILL')
        },
        metrics: async () => ({}),
      }
    },
  }
}

function node(module: string, env: { [name: string]: string }): Launch {
  const file = fileURLToPath(new URL(module, import.meta.url))
  return { command: process.execPath, args: [file], env: { ...env, NODE_ENV: 'production' } }
}

export async function untilHealthy(url: string, worker: Part): Promise<void> {
  while (worker.running) {
    const answer = await fetch(`${url}/healthz`).catch(() => null)
    if (answer?.ok) return
    await delay(20)
  }
  throw new Error(`workerd ended:\n${worker.lines}`)
}

async function readMetrics(port: number): Promise<{ [name: string]: number }> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const lines = text.matchAll(/^(belfry_\w+) (\S+)$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]))
}

/** Away from the system's own choices, so that none is taken between asking and using. */
export function somePort(): Promise<number> {
  return freePort(20_000 + Math.floor(Math.random() * 10_000))
}
