"""Small files of Parquet with all that a decoder may meet, to be spoilt: `make.py` writes them beside itself (pyarrow)."""
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

rows = [
    {'id': n, 'name': f'name {n % 5}', 'at': 1_700_000_000_123_456 + n, 'rate': None if n % 3 else n / 7, 'ok': n % 2 == 0,
     'price': Decimal(n).scaleb(-2), 'tags': [None, 'a', 'b'][:n % 4], 'place': None if n % 5 == 0 else {'x': n, 'y': [n]},
     'by': [(str(n), n)], 'bytes': bytes([n])}
    for n in range(60)
]
flat = {'id': pa.int32(), 'name': pa.string(), 'at': pa.timestamp('us'), 'rate': pa.float64(), 'ok': pa.bool_(), 'bytes': pa.binary()}
nested = {
    'id': pa.int64(), 'price': pa.decimal128(9, 2), 'tags': pa.list_(pa.string()), 'by': pa.map_(pa.string(), pa.int32()),
    'place': pa.struct([('x', pa.int32()), ('y', pa.list_(pa.int64()))]),
}


def table(types):
    return pa.Table.from_pylist([{name: row[name] for name in types} for row in rows], pa.schema(list(types.items())))


here = Path(__file__).parent
pq.write_table(table(nested), here / 'nested.parquet', compression='none', write_statistics=False)
pq.write_table(table(nested), here / 'nested-v2.parquet', compression='zstd', data_page_version='2.0', data_page_size=64)
encodings = {
    'id': 'DELTA_BINARY_PACKED', 'at': 'DELTA_BINARY_PACKED', 'name': 'DELTA_BYTE_ARRAY', 'bytes': 'DELTA_LENGTH_BYTE_ARRAY',
    'rate': 'BYTE_STREAM_SPLIT', 'ok': 'RLE',
}
pq.write_table(table(flat), here / 'encodings.parquet', compression='none', use_dictionary=False, column_encoding=encodings,
               write_statistics=False)
pq.write_table(table(flat), here / 'gzip-v2.parquet', compression='gzip', data_page_version='2.0', row_group_size=25)
