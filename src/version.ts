// The version of this build. A test keeps it equal to package.json and to the head of CHANGELOG.md.
export const VERSION = "0.1.0";
