import { type Dialog, dialog, emptyLog, log, type Notice, notices } from './store.ts'

const NOTICE_MS = 5_000
let lastNotice = 0

export function openDialog(next: Dialog): void {
  dialog.value = next
}

export function closeDialog(): void {
  dialog.value = { kind: 'none' }
}

export function clearLog(): void {
  log.value = emptyLog
}

/** Says once what came of something a person did. */
export function notify(tone: Notice['tone'], text: string): void {
  const id = ++lastNotice
  notices.value = [...notices.value, { id, tone, text }].slice(-3)
  setTimeout(() => dismiss(id), NOTICE_MS)
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id)
}
