/** An event as a command for a shell. */

export interface Sent {
  readonly id: string
  readonly type: string | null
  /** Its payload. */
  readonly text: string
}

/** Posts the payload as it is. Its signature is not kept, so that only a route that does not verify takes it. */
export function curlCommand({ id, text }: Sent, url: string): string {
  const headers = { 'content-type': 'application/json', 'svix-id': id }
  return [
    `curl -i ${quote(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    `--data-binary ${quote(text)}`,
  ].join(' \\\n  ')
}

/** Signs the payload with the secret of the machine that runs the command, and delivers it. */
export function triggerCommand({ type, text }: Sent): string {
  return `printf %s ${quote(text)} | clerk-sync trigger ${quote(type ?? '')} --data -`
}

/** One word for a shell, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
