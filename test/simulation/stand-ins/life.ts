import {
  type Admission,
  type Life,
  admit as reallyAdmit,
  mayAppend as reallyMayAppend,
  supersede as reallySupersede,
} from '../../../worker/feed/life.ts'
import { current } from '../current.ts'

/** worker/feed/life.ts itself, unless its fencing is to be broken. */
export function admit(life: Life, link: { source: string; term: number }): Admission {
  if (current().world.broken === 'fencing off')
    return { kind: 'admitted', life: { ...life, ...link } }
  const admission = reallyAdmit(life, link)
  if (admission.kind === 'fenced') current().world.reach('a lower term refused at its opening')
  return admission
}

export function mayAppend(life: Life, term: number): boolean {
  if (current().world.broken === 'fencing off') return true
  const may = reallyMayAppend(life, term)
  if (!may) current().world.reach('a lower term refused at its batch or pulse')
  return may
}

export function supersede(life: Life, newest: number): Life {
  const { world, checker } = current()
  checker.superseded(newest)
  return world.broken === 'drain: takes no term' ? life : reallySupersede(life, newest)
}
