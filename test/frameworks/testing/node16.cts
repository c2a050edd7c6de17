/** CommonJS under `module: node16`, whose only way to an ES module is `import()`. */
export async function sampleType(): Promise<string> {
  const { sampleEvent } = await import('clerk-sync/testing')
  const event = sampleEvent('user.created')
  const name: string | null | undefined = event.data.first_name
  return `${event.type} ${name}`
}
