import { type Permission, permissionOf, wantedFor } from './permissions.ts'

/** As much of an OpenAPI document as is read and written here. */
type Document = {
  paths?: { [path: string]: object }
  components?: { securitySchemes?: { [name: string]: object } }
}

type Operation = { description?: string; security?: { bearer: string[] }[] }

export const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

/** Says of every operation what the table of permissions asks for it. */
export function describeDoors<D extends Document>(document: D): D {
  for (const [path, operations] of Object.entries(document.paths ?? {}))
    for (const method of methods) {
      const operation = (operations as { [method: string]: Operation })[method]
      // What the table does not know is refused to all, and a test finds it.
      const permission = permissionOf(method.toUpperCase(), routeOf(path))
      if (operation === undefined || permission === null) continue
      const { description } = operation
      const needs = `Needs ${wantedFor[permission].replaceAll('"', '`')}.`
      operation.description = description === undefined ? needs : `${description}\n\n${needs}`
      operation.security = securityOf(permission)
    }
  document.components = {
    ...document.components,
    securitySchemes: { ...document.components?.securitySchemes, bearer },
  }
  return document
}

const bearer = {
  type: 'http',
  scheme: 'bearer',
  description:
    'A JSON Web Token, an API key, or the ADMIN_TOKEN. What is listed is the scope that it needs; `admin` is enough for all but what is a user’s own.',
}

function securityOf(permission: Permission): { bearer: string[] }[] {
  switch (permission) {
    case 'open':
      return []
    case 'orders:read':
    case 'orders:write':
    case 'admin':
      return [{ bearer: [permission] }]
    case 'user':
    case 'some':
    case 'any':
      return [{ bearer: [] }]
  }
}

/** `/api/orders/{id}` is registered as `/api/orders/:id`. */
export function routeOf(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}
