declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  /** Only what we set; the package ships no types. */
  type Options = {
    url: string
    domNode: Element
    deepLinking: boolean
    docExpansion: 'list' | 'full' | 'none'
    defaultModelsExpandDepth: number
    displayRequestDuration: boolean
    filter: boolean
    syntaxHighlight: { activated: boolean }
    validatorUrl: null
    tryItOutEnabled: boolean
  }
  export default function SwaggerUI(options: Options): void
}
