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
    /** Once the description is read. */
    onComplete(): void
  }
  type System = {
    /** @param scheme its name in the description */
    preauthorizeApiKey(scheme: string, credential: string): void
  }
  export default function SwaggerUI(options: Options): System
}
