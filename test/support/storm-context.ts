/** What the storm is given by the process that runs the tests (resend-stand-in.ts). */
export type StormContext = {
  /** The stand-in for Resend, as the local run has it. */
  mailboxUrl: string
  /** `?pass=1000`: so many ms go by for it. `/next-mail` answers once it takes a mail. */
  controlUrl: string
  /** `STORM_SEED=…` repeats the choices of a run. */
  seed: number
}

declare module 'vitest' {
  export interface ProvidedContext {
    storm: StormContext
  }
}
