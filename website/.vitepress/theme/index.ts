// The default theme with the fonts of the reader's system: nothing is loaded from elsewhere, and 300 kB less from here.
export { default } from 'vitepress/theme-without-fonts';
