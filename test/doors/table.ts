import type { Attack } from './attack.ts'
import { bodies } from './bodies.ts'
import { consumption } from './consumption.ts'
import { credentials } from './credentials.ts'
import { frames } from './frames.ts'
import { fuzz } from './fuzz.ts'
import { insides } from './insides.ts'
import { inventory } from './inventory.ts'
import { jsonSuite } from './json-suite.ts'
import { leaks } from './leaks.ts'
import { limits } from './limits.ts'
import { link } from './link.ts'
import { objects } from './objects.ts'
import { oddPaths } from './odd-paths.ts'
import { once } from './once.ts'
import { pages } from './pages.ts'
import { properties } from './properties.ts'
import { reading } from './reading.ts'
import { requestsOfOurs } from './requests-of-ours.ts'
import { sessions } from './sessions.ts'
import { strings } from './strings.ts'
import { tickets } from './tickets.ts'
import { tokens } from './tokens.ts'
import { versions } from './versions.ts'

/** In this order: what takes things away, or fills tables, comes last. */
export const attacks: readonly Attack[] = [
  ...tokens,
  ...credentials,
  ...sessions,
  ...tickets,
  ...objects,
  ...properties,
  ...once,
  ...versions,
  ...requestsOfOurs,
  ...pages,
  ...oddPaths,
  ...insides,
  ...inventory,
  ...consumption,
  ...link,
  ...bodies,
  ...reading,
  ...frames,
  ...limits,
  ...jsonSuite,
  ...strings,
  ...fuzz,
  ...leaks,
]
