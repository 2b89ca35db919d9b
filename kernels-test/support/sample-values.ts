/**
 * Values for the sample inputs of op records: the self-test (src/self-test/sample-values.ts) and tests draw the same.
 */
export * from '../../src/self-test/sample-values.ts';
