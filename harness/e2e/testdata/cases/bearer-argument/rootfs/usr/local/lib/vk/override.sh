secret() { curl -sf --max-time 10 -H "Authorization: Bearer $bearer" "https://$vault.vault.azure.net/secrets/$1?api-version=2025-07-01" | field value; }
