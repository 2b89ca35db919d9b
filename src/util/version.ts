/** The version of the package, where there is no package.json to read: a test checks that the two agree. */
export const VERSION = '0.1.0';
