const MEBIBYTE = 2 ** 20;

/**
 * What keeps the process of an engine small: a statement that needs more memory goes to disk or fails. There is no
 * limit on the whole, since the engine counts the memory of the process, which may not be its own alone.
 */
export const memorySettings = {
  max_memory_usage: 700 * MEBIBYTE,
  max_bytes_before_external_group_by: 350 * MEBIBYTE,
  max_bytes_before_external_sort: 350 * MEBIBYTE,
} as const;

/** Caches far below the gigabytes that a server would give them; only the first to open the engine can say so. */
export const engineArguments = [
  `--mark_cache_size=${64 * MEBIBYTE}`,
  `--index_mark_cache_size=${16 * MEBIBYTE}`,
  `--uncompressed_cache_size=${16 * MEBIBYTE}`,
] as const;
