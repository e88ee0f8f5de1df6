import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'
import './swagger.css'
import '../dashboard/styles/tokens.css'
import './page.css'
import './docs.css'
import './fields.css'
import './authorize.css'
import { watchTheme } from '../dashboard/theme.ts'

watchTheme()

const swagger = SwaggerUI({
  url: '/openapi.json',
  domNode: document.getElementById('docs') as HTMLElement,
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: false,
  syntaxHighlight: { activated: false },
  tryItOutEnabled: true,
  // The default asks a server of others about the description.
  validatorUrl: null,
  onComplete: () => void signIn(),
})

/** Only in a local run; elsewhere one says who one is with the button “Authorize”. */
async function signIn(): Promise<void> {
  if (import.meta.env.MODE !== 'local-run') return
  const { staffToken } = await import('../dashboard/local-run/staff.ts')
  // Without one the routes can be read all the same.
  const token = await staffToken(null).catch(() => null)
  if (token !== null) swagger.preauthorizeApiKey('bearer', token)
}
