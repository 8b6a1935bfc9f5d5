"""Files as others have them: Parquet by pyarrow; lines by csv, json, gzip and zstandard. `foreign.py write FOLDER` makes files and
prints the rows that are in them; `foreign.py read FILE...` prints the rows of files. Rows are JSON, as a reader should have them."""
import base64
import csv
import gzip
import io
import json
import sys
from datetime import date, datetime, timezone
from decimal import Decimal, getcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

getcontext().prec = 50
NS = 1_700_000_000_123_456_789


def iso(ns):
    text = datetime.fromtimestamp(ns // 1_000_000_000, timezone.utc).strftime('%Y-%m-%dT%H:%M:%S')
    digits = f'{ns % 1_000_000_000:09}'
    return f'{text}.{digits[:3]}{digits[3:].rstrip("0")}Z'


TYPES = {
    'id': pa.int64(), 'big': pa.int64(), 'unsigned': pa.uint64(), 'small': pa.int8(), 'name': pa.string(),
    'ok': pa.bool_(), 'rate': pa.float64(), 'half': pa.float32(), 'bytes': pa.binary(), 'day': pa.date32(),
    'ms': pa.timestamp('ms', 'UTC'), 'us': pa.timestamp('us'), 'ns': pa.timestamp('ns', 'UTC'),
    'price': pa.decimal128(12, 2), 'wide': pa.decimal128(38, 10),
    'tags': pa.list_(pa.string()), 'place': pa.struct([('x', pa.int32()), ('y', pa.float64())]),
}


def rows():
    """As pyarrow takes them, and as JSON should have them. Every third row has nothing but its id."""
    given, wanted = [], []
    for n in range(20):
        if n % 3 == 2:
            given.append({'id': n})
            wanted.append({**dict.fromkeys(TYPES), 'id': n})
            continue
        ns = NS + n
        price = Decimal(1235 + n).scaleb(-2) * (-1) ** n
        wide = Decimal('12345678901234567890.0123456789') + n
        given.append({
            'id': n, 'big': 2**60 + n, 'unsigned': 2**64 - 1 - n, 'small': n - 10, 'name': f'näme {n % 2}', 'ok': n % 2 == 0,
            'rate': n / 3, 'half': n / 2, 'bytes': bytes([0, 255, n]), 'day': date(2026, 11, 26),
            'ms': ns // 1_000_000, 'us': ns // 1_000, 'ns': ns, 'price': price, 'wide': wide,
            'tags': [None, 'a', ''][:n % 4], 'place': {'x': n, 'y': None},
        })
        wanted.append({
            **given[-1], 'big': str(2**60 + n), 'unsigned': str(2**64 - 1 - n),
            'bytes': base64.b64encode(bytes([0, 255, n])).decode(), 'day': '2026-11-26',
            'ms': iso(ns // 1_000_000 * 1_000_000), 'us': iso(ns // 1_000 * 1_000), 'ns': iso(ns),
            'price': float(price), 'wide': str(wide),
        })
    return given, wanted


def write(folder):
    given, wanted = rows()
    table = pa.Table.from_pylist(given, pa.schema(list(TYPES.items())))
    expected = {}
    for name, options in {
        'plain': {'compression': 'none', 'use_dictionary': False},
        'snappy': {'compression': 'snappy', 'row_group_size': 7},
        'gzip': {'compression': 'gzip', 'data_page_version': '2.0', 'row_group_size': 3},
        'brotli': {'compression': 'brotli', 'row_group_size': 5},
        'zstd': {'compression': 'zstd', 'version': '2.6', 'data_page_size': 64, 'write_page_index': True},
        # Dictionaries that are given up within a column, whose other pages have values.
        'fallen': {'dictionary_pagesize_limit': 40, 'data_page_size': 16, 'write_batch_size': 4},
        'delta': {'use_dictionary': False, 'column_encoding': {'id': 'DELTA_BINARY_PACKED', 'name': 'DELTA_BYTE_ARRAY'}},
    }.items():
        pq.write_table(table, folder / f'{name}.parquet', **options)
        expected[f'{name}.parquet'] = wanted
    flat = pa.table({'at': pa.array([datetime(2026, 11, 26)], pa.timestamp('ns'))})
    pq.write_table(flat, folder / 'int96.parquet', use_deprecated_int96_timestamps=True)
    expected['int96.parquet'] = [{'at': '2026-11-26T00:00:00.000Z'}]
    pq.write_table(table.slice(0, 0), folder / 'none.parquet')
    expected['none.parquet'] = []
    # What is refused.
    pq.write_table(flat, folder / 'lz4.parquet', compression='lz4')
    pq.write_table(pa.table({'a': [[Decimal('1.5')]]}), folder / 'nested-decimal.parquet')

    values = [{'n': n, 'text': f'a "b" \\ ü\n{n}'} for n in range(2_000)]
    lines = ''.join(json.dumps(value, ensure_ascii=n % 2 == 0) + '\n' for n, value in enumerate(values)).encode()
    cells = [{'id': n, 'name': f'x, "{n}"\r\ny', 'note': None if n % 2 else ' kept '} for n in range(500)]
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, ['id', 'name', 'note'], lineterminator='\r\n')
    writer.writeheader()
    writer.writerows(cells)
    table_text = text.getvalue().encode('utf-8-sig')
    for kind, bytes_, found in (('ndjson', lines, values), ('csv', table_text, cells)):
        (folder / f'a.{kind}').write_bytes(bytes_)
        # Two members, two frames: as tools that append make them.
        cut = bytes_.index(b'\n') + 1
        (folder / f'a.{kind}.gz').write_bytes(gzip.compress(bytes_[:cut]) + gzip.compress(bytes_[cut:]))
        zstd = zstandard.ZstdCompressor()
        (folder / f'a.{kind}.zst').write_bytes(zstd.compress(bytes_[:cut]) + zstd.compress(bytes_[cut:]))
        for ending in ('', '.gz', '.zst'):
            expected[f'a.{kind}{ending}'] = found
    print(json.dumps(expected))


def plain(value):
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    return str(value) if isinstance(value, int) and abs(value) > 2**53 else value


def read(path):
    if path.startswith('s3://'):
        from pyarrow import fs
        store, _, name = path.removeprefix('s3://').partition('/')
        key, secret, endpoint = store.split('@')
        there = fs.S3FileSystem(access_key=key, secret_key=secret, endpoint_override=endpoint, scheme='http', region='us-east-1')
        table = pq.read_table(name, filesystem=there)
    elif path.endswith('.parquet'):
        table = pq.read_table(path)
    else:
        return read_lines(Path(path))
    return [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()]


def read_lines(path):
    bytes_ = path.read_bytes()
    if path.suffix == '.gz':
        bytes_ = gzip.decompress(bytes_)
    if path.suffix == '.zst':
        with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(bytes_), read_across_frames=True) as reader:
            bytes_ = reader.read()
    text = io.StringIO(bytes_.decode(), newline='')
    return list(csv.DictReader(text)) if '.csv' in path.name else [json.loads(line) for line in text]


if sys.argv[1] == 'write':
    write(Path(sys.argv[2]))
else:
    print(json.dumps([read(path) for path in sys.argv[2:]]))
