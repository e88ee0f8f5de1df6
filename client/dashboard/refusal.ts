import type { Problem, ProblemCode } from '../../protocol/problems.ts'
import { formatMs } from './format.ts'

/** Why a request was not done, and what a person can do about it. */
export type Refusal = {
  title: string
  detail: string
  /** Field → what is wrong with it. */
  fields: Readonly<Record<string, string>>
  /** Of the table of problems; null where no worker of ours answered. */
  code: ProblemCode | null
}

export function refusal(title: string, detail: string): Refusal {
  return { title, detail, fields: {}, code: null }
}

/** "It has changed since you read it. Read it again." */
export function words({ title, detail }: Pick<Refusal, 'title' | 'detail'>): string {
  return `${title}. ${detail}`.trim()
}

/** Whoever asks is known, or needs not be, and may not do this: no failure, and trying again is idle. */
export function isForOthers({ code }: Refusal): boolean {
  return code === 'forbidden' || code === 'unauthorized'
}

/**
 * Also for what stands between us and the worker and answers no problem of ours.
 * @param retryAfter the header, in seconds
 */
export function readProblem(
  status: number,
  answer: unknown,
  retryAfter: string | null = null,
): Refusal {
  const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Problem>
  const fields: Record<string, string> = {}
  for (const { path, message } of problem.errors ?? []) {
    // `amount`, `/amount` and `body.amount` are the same field of a form.
    fields[path.split(/[./]/).at(-1) ?? path] ??= message
  }
  return {
    title: problem.title ?? `The server answered ${status}`,
    detail: problem.detail ?? advice(status, problem, retryAfter),
    fields,
    code: problem.code ?? null,
  }
}

function advice(status: number, { retry }: Partial<Problem>, retryAfter: string | null): string {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0
  if (status === 429 || seconds > 0)
    return `Wait ${seconds > 0 ? formatMs(seconds * 1_000) : 'a moment'}, then try again.`
  return retry === false ? '' : 'Try again; if it stays, see the server log.'
}
