"""Clients written by others, in one process: Confluent's serializers over librdkafka, fastavro, and Google's Protobuf runtime
with descriptors made by protoc.

Reads JSON objects from the standard input, one a line, does what each says, and prints one JSON object for each. What JSON
has no type for is an object with one key: {"$int": "..."}, {"$decimal": "..."}, {"$time": milliseconds}, {"$bytes": base64}.
A value that cannot be read is {"$refused": "why"}.
"""

import base64
import csv
import datetime
import decimal
import functools
import io
import json
import os
import subprocess
import sys
import tempfile
import uuid

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry import record_subject_name_strategy, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = datetime.timedelta(milliseconds=1)


def untagged(value):
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(tag, text)] = value.items()
        if tag == "$int":
            return int(text)
        if tag == "$decimal":
            return decimal.Decimal(text)
        if tag == "$time":
            return EPOCH + text * MILLISECOND
        if tag == "$bytes":
            return base64.b64decode(text)
    return {key: untagged(item) for key, item in value.items()}


def tagged(value):
    if isinstance(value, (list, tuple)):
        return [tagged(item) for item in value]
    if isinstance(value, dict):
        return {key: tagged(item) for key, item in value.items()}
    if isinstance(value, decimal.Decimal):
        return {"$decimal": format(value, "f")}
    if isinstance(value, datetime.datetime):
        return {"$time": (value - EPOCH) // MILLISECOND}
    if isinstance(value, datetime.date):
        return {"$time": (value.toordinal() - EPOCH.toordinal()) * 86_400_000}
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return {"$int": str(value)}
    return value


@functools.cache
def message_class(text, name, imports=()):
    """The class of a message as protoc describes it, in a pool of its own: a process may then know versions of one name."""
    with tempfile.TemporaryDirectory() as folder:
        for file, content in [("made.proto", text), *imports]:
            with open(os.path.join(folder, file), "w", encoding="utf-8") as proto:
                proto.write(content)
        made = os.path.join(folder, "made")
        standard = os.path.join(os.path.dirname(protoc.__file__), "_proto")
        arguments = ["protoc", f"-I{folder}", f"-I{standard}", "--include_imports", f"--descriptor_set_out={made}", "made.proto"]
        if protoc.main(arguments) != 0:
            raise RuntimeError(f"protoc refuses {text}")
        with open(made, "rb") as found:
            files = descriptor_pb2.FileDescriptorSet.FromString(found.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def as_json(message):
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


STRATEGIES = {"record": record_subject_name_strategy, "topicRecord": topic_record_subject_name_strategy}


def strategy(case):
    """Confluent's own strategy where the case names one; otherwise a subject a case."""
    return {"subject.name.strategy": STRATEGIES.get(case.get("strategy"), lambda context, record: case["subject"])}


def schema_of(case, side):
    """With what it refers to, registered under subjects of its own."""
    references = [SchemaReference(each["name"], each["subject"], 1) for each in case.get("references", [])]
    return Schema(case[side]["text"], {"avro": "AVRO", "json-schema": "JSON"}[case["format"]], references)


def imports_of(case):
    return tuple((each["name"], each["text"]) for each in case.get("references", []))


def confluent_writer(case, registry):
    if case["format"] == "avro":
        write = AvroSerializer(registry, schema_of(case, "writer"), conf=strategy(case))
        return lambda value, context: write(untagged(value), context)
    if case["format"] == "json-schema":
        return JSONSerializer(schema_of(case, "writer"), registry, conf=strategy(case))
    message = message_class(case["writer"]["text"], case["writer"]["message"], imports_of(case))
    write = ProtobufSerializer(message, registry, {"use.deprecated.format": False, **strategy(case)})
    return lambda value, context: write(json_format.ParseDict(value, message()), context)


def confluent_reader(case, registry):
    if case["format"] == "avro":
        read = AvroDeserializer(registry, schema_of(case, "reader"))
        return lambda data, context: tagged(read(data, context))
    if case["format"] == "json-schema":
        return JSONDeserializer(schema_of(case, "reader"), schema_registry_client=registry)
    message = message_class(case["reader"]["text"], case["reader"]["message"], imports_of(case))
    # Without the registry, of which it wants a serialized descriptor: Apicurio answers with the text that was registered.
    read = ProtobufDeserializer(message, {"use.deprecated.format": False})
    return lambda data, context: as_json(read(data, context))


def bare_writer(case, registry):
    """Nothing in front of the payload: fastavro and Protobuf's runtime as they are."""
    if case["format"] == "avro":
        schema = fastavro.parse_schema(json.loads(case["writer"]["text"]))

        def write(value, context):
            out = io.BytesIO()
            fastavro.schemaless_writer(out, schema, untagged(value))
            return out.getvalue()

        return write
    message = message_class(case["writer"]["text"], case["writer"]["message"])
    return lambda value, context: json_format.ParseDict(value, message()).SerializeToString()


def bare_reader(case, registry):
    # Without an id in front, a payload is of the reader's own schema; Protobuf alone reads other versions so.
    if case["format"] == "avro":
        schema = fastavro.parse_schema(json.loads(case["reader"]["text"]))
        return lambda data, context: tagged(fastavro.schemaless_reader(io.BytesIO(data), schema, None))
    message = message_class(case["reader"]["text"], case["reader"]["message"])
    return lambda data, context: as_json(message.FromString(data))


def standard_writer(case, registry):
    """The modules that Python has for it."""
    if case["format"] == "csv":

        def write(cells, context):
            out = io.StringIO()
            csv.writer(out, lineterminator="\r\n").writerow(cells)
            return out.getvalue().encode()

        return write
    if case["format"] in ("json", "ndjson"):
        return lambda value, context: json.dumps(value).encode()
    return lambda value, context: untagged(value) if case["format"] == "bytes" else value.encode()


def standard_reader(case, registry):
    if case["format"] == "csv":
        return lambda data, context: next(csv.reader([data.decode()]))
    if case["format"] in ("json", "ndjson"):
        return lambda data, context: json.loads(data)
    return lambda data, context: tagged(data) if case["format"] == "bytes" else data.decode()


WRITERS = {"confluent": confluent_writer, "bare": bare_writer, "standard": standard_writer}
READERS = {"confluent": confluent_reader, "bare": bare_reader, "standard": standard_reader}


def arrived(error, message):
    if error is not None:
        raise RuntimeError(str(error))


def write(task, registry):
    """One record a case."""
    producer = Producer({"bootstrap.servers": task["kafka"], "linger.ms": 0})
    context = SerializationContext(task["topic"], MessageField.VALUE)
    for case in task["cases"]:
        encode = WRITERS[task["client"]](case, registry)
        producer.produce(task["topic"], value=encode(case["value"], context), partition=0, on_delivery=arrived)
    producer.flush()
    return {"written": len(task["cases"])}


def messages(task, count):
    consumer = Consumer(
        {"bootstrap.servers": task["kafka"], "group.id": "foreign", "isolation.level": "read_committed", "fetch.wait.max.ms": 10}
    )
    consumer.assign([TopicPartition(task["topic"], 0, 0)])
    for _ in range(count):
        message = consumer.poll(20)
        if message is None or message.error():
            raise RuntimeError(f"no record came: {message and message.error()}")
        yield message
    consumer.close()


def read(task, registry):
    context = SerializationContext(task["topic"], MessageField.VALUE)
    values = []
    for case, message in zip(task["cases"], messages(task, len(task["cases"]))):
        try:
            values.append(READERS[task["client"]](case, registry)(message.value(), context))
        except Exception as error:
            values.append({"$refused": f"{type(error).__name__}: {error}"})
    return {"values": values}


def write_records(task, registry):
    """Records as they are: keys, values, headers and times."""
    producer = Producer({"bootstrap.servers": task["kafka"], "compression.type": task["compression"], "linger.ms": 50})
    for record in task["records"]:
        headers = [(name, untagged(value)) for name, value in record["headers"]]
        key, value = untagged(record["key"]), untagged(record["value"])
        producer.produce(
            task["topic"], value, key, 0, timestamp=record["timestampMs"], headers=headers, on_delivery=arrived
        )
    producer.flush()
    return {"written": len(task["records"])}


def read_records(task, registry):
    return {
        "values": [
            {
                "key": tagged(message.key()),
                "value": tagged(message.value()),
                "headers": [[name, tagged(value)] for name, value in message.headers() or []],
                "timestampMs": message.timestamp()[1],
            }
            for message in messages(task, task["count"])
        ]
    }


def describe(task, registry):
    """What protoc makes of a file, for clients that want its descriptors."""
    message = message_class(task["schema"]["text"], task["schema"]["message"])
    file = descriptor_pb2.FileDescriptorProto()
    message.DESCRIPTOR.file.CopyToProto(file)
    return {"file": base64.b64encode(file.SerializeToString()).decode()}


TASKS = {"write": write, "read": read, "write records": write_records, "read records": read_records, "describe": describe}


def main():
    registries = functools.cache(lambda url: SchemaRegistryClient({"url": url}))
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = TASKS[task["op"]](task, registries(task["registry"]))
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
