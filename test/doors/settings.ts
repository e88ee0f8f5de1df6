/** Of the worker that is attacked. */
export const secrets = {
  LINK_SECRET: 'the link secret of the doors, which is long enough',
  AUTH_SECRET: 'the secret of the doors, with which users are signed in',
  ADMIN_TOKEN: 'admin-token-of-the-doors-0123456789',
  RESEND_WEBHOOK_SECRET: 'whsec_ZG9vcnMtb2YtdGhlLWRvb3JzLTAxMjM0NTY3ODk=',
} as const

/** The one page elsewhere that may call the API. */
export const ALLOWED_ORIGIN = 'https://shop.test'
