/** The version of the package, where there is no package.json to read: a test holds the two together. */
export const VERSION = '0.1.0';
