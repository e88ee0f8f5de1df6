import { notification } from './notification.ts'
import { orderFilled } from './order-filled.ts'
import { orderStatus } from './order-status.ts'
import { rowChanged } from './row-changed.ts'
import type { Template } from './template.ts'
import { webhookOff } from './webhook-off.ts'

export const templates: readonly Template[] = [
  orderFilled,
  orderStatus,
  notification,
  rowChanged,
  webhookOff,
]

export function templateNamed(name: string): Template | undefined {
  return templates.find((template) => template.name === name)
}
