export { POST } from 'clerk-sync/next'
