import worker from '../../worker/index.ts'

/** The worker itself, with one door more: `POST /bench/enqueue` hands mails to the mailer. */
export * from '../../worker/index.ts'

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== '/bench/enqueue')
      return worker.fetch(request, env, context)
    await env.MAILER.getByName('main').enqueue(await request.json())
    return new Response(null, { status: 204 })
  },
}
