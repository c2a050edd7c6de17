/** An error in our own code, in the middle of a batch: the database is well, and one of the batch's items is the cause. */
export class Defect extends Error {}

/** Does a step between the two flights. If it fails, the transaction ends at once: it holds locks. */
export async function orRollBack<Value>(
  transaction: { rollback(): Promise<void> },
  step: () => Value,
): Promise<Value> {
  try {
    return step()
  } catch (cause) {
    await transaction.rollback()
    throw new Defect('a step of a batch failed', { cause })
  }
}
