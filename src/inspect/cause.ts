/** What an error says, in plain words. Pure. */

const MAX_LENGTH = 120

/** Node's codes of failed connections. */
const CONNECTION_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection aborted',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'DNS lookup failed',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'response timed out',
  UND_ERR_BODY_TIMEOUT: 'response timed out',
  CERT_HAS_EXPIRED: 'TLS certificate expired',
}

const FAULT = new RegExp(`\\b(${Object.keys(CONNECTION_FAULTS).join('|')})\\b:?\\s*([\\w.:[\\]-]*)`)
/** `TypeError: `, `Error [ERR_X]: `, `PrismaClientKnownRequestError: `. */
const CLASS_NAME = /^(?:[A-Z]\w*(?:Error|Exception)|Error)(?: \[\w+\])?: /

/** `Error: connect ECONNREFUSED 10.0.3.7:443` → `connection refused (10.0.3.7:443)`. */
export function causeOf(error: string | null): string {
  const line = (error ?? '').split('\n').find((each) => each.trim() !== '')
  if (line === undefined) return 'no error message'
  const [, code = '', address = ''] = FAULT.exec(line) ?? []
  const fault = CONNECTION_FAULTS[code]
  if (fault !== undefined) return address === '' ? fault : `${fault} (${address})`
  return shortened(line.trim().replace(CLASS_NAME, '').replace(/\.$/, ''))
}

function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text
}
