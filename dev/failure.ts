/**
 * Something a person can put right. The message is a whole sentence: what is
 * wrong, and what to do next. It is printed as it stands, without a stack.
 */
export class Failure extends Error {}
