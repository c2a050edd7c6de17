/** Where the standalone server listens if nothing else is said. */

export const DEFAULT_PORT = 4848
export const DEFAULT_HOST = '127.0.0.1'
