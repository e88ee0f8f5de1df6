import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js'
import './swagger.css'
import '../dashboard/styles/tokens.css'
import './page.css'
import './docs.css'
import './fields.css'
import { watchTheme } from '../dashboard/theme.ts'

watchTheme()

SwaggerUI({
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
})
