/**
 * A subscriber that asked with `deflate=1` gets a frame of at least so many characters as a binary
 * message: the same text in UTF-8, as raw DEFLATE (RFC 1951). Changes are a ninth of their size
 * then, and are deflated once for all who hear the same; smaller frames stay text for everyone.
 */
export const DEFLATE_FROM_CHARACTERS = 4_096
