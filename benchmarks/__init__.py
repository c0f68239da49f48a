"""What thawline costs against what one would write without it: `npm run bench`. README.md says how to read it."""
