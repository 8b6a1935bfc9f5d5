declare module 'tz-lookup' {
  /** The name of the time zone at a place. */
  function tzLookup(latitude: number, longitude: number): string;
  export = tzLookup;
}
