/** A statement for ClickHouse by its URL with user and password in it, which `fetch` alone does not take. */
export function askClickHouse(address: string, path = '/', request: RequestInit = {}): Promise<Response> {
  const { origin, username, password } = new URL(address);
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const headers = { authorization: `Basic ${credentials}`, ...(request.headers as Record<string, string> | undefined) };
  return fetch(new URL(path, origin), { method: 'POST', ...request, headers });
}
