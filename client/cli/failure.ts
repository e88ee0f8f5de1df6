/** It could not be done. The message is a whole sentence and says what to do next. */
export class Failure extends Error {}

/** The command line is wrong. The message is a whole sentence. */
export class UsageError extends Error {}
