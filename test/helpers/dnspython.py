"""Prints DNS messages as dnspython reads them: one request per line in JSON, one answer per line in JSON."""

import json
import sys

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

# Loaded at will, a record of class ANY would change how later records of its type are printed.
dns.rdata.load_all_types()


def print_section(section):
    return [
        {
            "name": rrset.name.to_text(),
            "ttl": rrset.ttl,
            "rdclass": dns.rdataclass.to_text(rrset.rdclass),
            "rdtype": dns.rdatatype.to_text(rrset.rdtype),
            "result": rdata.to_text(),
        }
        for rrset in section
        for rdata in rrset
    ]


def print_message(message):
    return {
        "kind": "reply",
        "rcode": int(message.rcode()),
        "status": dns.rcode.to_text(message.rcode()),
        "answer": print_section(message.answer),
        "authority": print_section(message.authority),
        "additional": print_section(message.additional),
    }


def parse(request):
    try:
        return print_message(dns.message.from_wire(bytes.fromhex(request["wire"]), one_rr_per_rrset=True))
    except (dns.exception.DNSException, ValueError) as error:
        return {"kind": "malformed", "reason": f"{type(error).__name__}: {error}"}


def ask(request):
    query = dns.message.make_query(request["name"], request["rtype"], use_edns=0, payload=1232)
    reply, _ = dns.query.udp_with_fallback(
        query, request["address"], port=request["port"], timeout=5, one_rr_per_rrset=True
    )
    return print_message(reply)


def name_codes(request):
    return {
        "rdtypes": [dns.rdatatype.to_text(number) for number in range(65536)],
        "rdclasses": [dns.rdataclass.to_text(number) for number in range(65536)],
        "rcodes": [dns.rcode.to_text(number) for number in range(4096)],
    }


handlers = {"parse": parse, "ask": ask, "names": name_codes}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(handlers[request["do"]](request)), flush=True)
