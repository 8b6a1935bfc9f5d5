"""Validates the objects of KEDA in rendered manifests with the schemas of its CRDs, as strictly as the API server: unknown fields fail.

    check-keda.py FOLDER_OF_CRDS FILE...
"""

import pathlib
import sys

import jsonschema
import yaml


def strict(schema):
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(part) for name, part in schema.items()}
    if 'properties' in made:
        made['properties'] = {name: strict(part) for name, part in schema['properties'].items()}
        made.setdefault('additionalProperties', False)
    return made


schemas = {}
for path in pathlib.Path(sys.argv[1]).glob('*.yaml'):
    spec = yaml.safe_load(path.read_text())['spec']
    for version in spec['versions']:
        schema = strict(version['schema']['openAPIV3Schema'])
        schema['properties']['metadata'] = {'type': 'object'}
        schemas[spec['names']['kind'], f"{spec['group']}/{version['name']}"] = schema

checked = 0
for path in sys.argv[2:]:
    for document in yaml.safe_load_all(pathlib.Path(path).read_text()):
        if document and 'keda.sh' in document.get('apiVersion', ''):
            jsonschema.validate(document, schemas[document['kind'], document['apiVersion']])
            checked += 1
print(f'{checked} objects of KEDA are valid')
sys.exit(0 if checked > 0 else 1)
