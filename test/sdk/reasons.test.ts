import { expect, it } from 'vitest'
import { describe as clause, type Ending, type Loss } from '../../client/sdk/reasons.ts'

const said: Record<string, [Loss | Ending, string]> = {
  'a code of ours': [
    { kind: 'closed', code: 1001, name: 'going_away', detail: '' },
    'this server is stopping',
  ],
  'a code of ours with its reason': [
    { kind: 'closed', code: 1011, name: 'failed', detail: 'the feed could not be read' },
    'something failed on our side: the feed could not be read',
  ],
  'a way that broke': [
    { kind: 'closed', code: 1006, name: null, detail: '' },
    'the server cannot be reached, or the connection broke off',
  ],
  'an address that the page may not open': [
    { kind: 'closed', code: 1006, name: null, detail: 'blocked by its policy' },
    'the server cannot be reached, or the connection broke off: blocked by its policy',
  ],
  'a code of somebody else’s': [
    { kind: 'closed', code: 1013, name: null, detail: 'try again later' },
    'the connection was closed (1013): try again later',
  ],
  silence: [{ kind: 'silent', forMs: 30_000 }, 'nothing was heard for 30 s'],
  'a gap': [
    { kind: 'gap', mine: 'a:5', theirs: 'a:9' },
    'a frame from a:9 came while we stand at a:5; asking again',
  ],
  'a frame': [{ kind: 'malformed', detail: 'not JSON' }, 'a frame could not be read: not JSON'],
  'no token': [{ kind: 'token', detail: 'offline' }, 'there is no token: offline'],
  'no ticket': [
    { kind: 'ticket', detail: 'Too many requests' },
    'there is no ticket for the socket: Too many requests',
  ],
  'a wish': [{ kind: 'asked' }, 'closed on request'],
  'a refusal': [
    { kind: 'refused', code: 4401, name: 'unauthorized', detail: 'expired' },
    'the worker does not let you in: expired',
  ],
  'a refusal that says no more': [
    { kind: 'refused', code: 4401, name: 'unauthorized', detail: '' },
    'the signature or the token is missing, wrong or too old',
  ],
  'a foreign page': [
    { kind: 'refused', code: 4403, name: 'origin_refused', detail: '' },
    'the worker serves no pages of this origin: add it to its setting ALLOWED_ORIGINS',
  ],
}

it.each(Object.entries(said))('%s is said in one clause', (_, [reason, words]) => {
  expect(clause(reason)).toBe(words)
})
