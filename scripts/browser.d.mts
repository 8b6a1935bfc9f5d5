import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

export interface Tab {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, and requests to another origin. */
  readonly problems: readonly string[];
}

export function openBrowser(): Promise<Browser>;
export function openPage(
  browser: Browser,
  url: string,
  options?: BrowserContextOptions,
): Promise<Tab & { readonly context: BrowserContext }>;
export function openTab(context: BrowserContext, url: string): Promise<Tab>;
