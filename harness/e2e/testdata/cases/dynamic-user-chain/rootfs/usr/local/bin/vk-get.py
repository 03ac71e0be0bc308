#!/usr/bin/python3
import json, os, time, urllib.error, urllib.request
role = dict(l.strip().split('=', 1) for l in open(os.environ['CREDENTIALS_DIRECTORY'] + '/role') if '=' in l)
state = os.environ['STATE_DIRECTORY']

def get(u, h):
    with urllib.request.urlopen(urllib.request.Request(u, headers=h), timeout=10) as r:
        return json.load(r)

def once():
    t = get('http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net', {'Metadata': 'true'})['access_token']
    b = 'https://%s.vault.azure.net/secrets/' % role['OPENSANDBOX_AZURE_KEY_VAULT_NAME']
    def s(n):
        return get(b + n + '?api-version=2025-07-01', {'Authorization': 'Bearer ' + t})['value']
    def o(n, d):
        try:
            return s(n)
        except urllib.error.HTTPError as x:
            if x.code in (403, 404):
                return d
            raise
    return [
        ('AXIOM_PLATFORM_TOKEN', s('shared-axiom-platform-ingest-token')),
        ('AXIOM_PLATFORM_DATASET', s('shared-axiom-platform-dataset')),
        ('AXIOM_PLATFORM_METRICS_TOKEN', o('shared-axiom-platform-metrics-ingest-token', '')),
        ('AXIOM_PLATFORM_METRICS_DATASET', o('shared-axiom-platform-metrics-dataset', '')),
        ('OPENCOMPUTER_CELL_ID', o('shared-cell-id', role.get('OPENCOMPUTER_CELL_ID', 'unknown'))),
        ('OPENSANDBOX_REGION', role.get('OPENSANDBOX_REGION', '')),
        ('OPENCOMPUTER_HOST_IP', 'unknown'),
    ]

w = 1
while True:
    try:
        d = once()
        break
    except Exception as x:
        print('again in %ss: %s' % (w, x), flush=True)
        time.sleep(w)
        w = min(30, 2 * w)
with open(state + '/vector.env', 'w') as f:
    f.writelines('%s=%s\n' % i for i in d)
