# Completion of mailmoor's command line, for fish.

complete -c mailmoor -f
complete -c mailmoor -n __fish_use_subcommand -a diagnose -d 'why a mailbox cannot be connected, live'
complete -c mailmoor -n __fish_use_subcommand -a explain -d 'what an error text means'
complete -c mailmoor -n __fish_use_subcommand -a replay -d 'the verdict of a recorded case, offline'
complete -c mailmoor -n __fish_use_subcommand -a causes -d 'the catalogue of causes'
complete -c mailmoor -n __fish_use_subcommand -a serve -d 'the daemon'
complete -c mailmoor -n __fish_use_subcommand -a account -d 'the accounts of a running daemon'
complete -c mailmoor -n __fish_use_subcommand -a key -d 'API keys'
complete -c mailmoor -n __fish_use_subcommand -a workspace -d 'whose accounts they are'
complete -c mailmoor -n __fish_use_subcommand -a config -d 'the settings in force'
complete -c mailmoor -n __fish_use_subcommand -a backup -d 'the store into one file'
complete -c mailmoor -n __fish_use_subcommand -a restore -d 'and back'
complete -c mailmoor -n __fish_use_subcommand -a secrets -d 'a new key for the sealed secrets'
complete -c mailmoor -n __fish_use_subcommand -a doctor -d 'is this machine fit to run it, and does it run?'
complete -c mailmoor -n __fish_use_subcommand -s h -l help -d 'show the commands'
complete -c mailmoor -n __fish_use_subcommand -s V -l version -d 'show the version'

set -l diagnose '__fish_seen_subcommand_from diagnose'
complete -c mailmoor -n $diagnose -l provider -x -a 'auto imap exchange' -d 'kind of service'
complete -c mailmoor -n $diagnose -l username -x -d 'where it is not the address'
complete -c mailmoor -n $diagnose -l password-file -r -F -d 'the password, - is standard input'
complete -c mailmoor -n $diagnose -l token-file -r -F -d 'answer of an OAuth token endpoint'
complete -c mailmoor -n $diagnose -l imap -x -d 'the IMAP server'
complete -c mailmoor -n $diagnose -l smtp -x -d 'the submission server'
complete -c mailmoor -n $diagnose -l caldav -x -d 'not built yet'
complete -c mailmoor -n $diagnose -l ews -x -d 'Exchange Web Services'
complete -c mailmoor -n $diagnose -l impersonate -d '--username is a service account'
complete -c mailmoor -n $diagnose -l send-test -d 'send a test message'
complete -c mailmoor -n $diagnose -l calendar-test -d 'not built yet'
complete -c mailmoor -n $diagnose -l resolver -x -d 'name server to ask'
complete -c mailmoor -n $diagnose -l ca-file -r -F -d 'authorities trusted besides the system\'s'
complete -c mailmoor -n $diagnose -l pin -x -d 'the one public key that the servers must have, SHA-256'
complete -c mailmoor -n $diagnose -l connect-to -x -d 'go there instead'
complete -c mailmoor -n $diagnose -l timeout -x -d 'bound on the whole, in seconds'
complete -c mailmoor -n $diagnose -l record -r -F -d 'write facts and conversation'

set -l files '__fish_seen_subcommand_from replay backup restore'
complete -c mailmoor -n $files -F

set -l account '__fish_seen_subcommand_from account'
complete -c mailmoor -n $account -a 'add list show verify pause resume reconnect remove'
complete -c mailmoor -n $account -l password-file -r -F -d 'the password, - is standard input'
complete -c mailmoor -n $account -l username -x -d 'where it is not the address'
complete -c mailmoor -n $account -l imap -x -d 'the IMAP server'
complete -c mailmoor -n $account -l smtp -x -d 'the submission server'
complete -c mailmoor -n $account -l ews -x -d 'the Exchange server or its URL'
complete -c mailmoor -n $account -l impersonate -d 'the user name is a service account'
complete -c mailmoor -n $account -l provider -x -a 'auto imap exchange' -d 'kind of service'
complete -c mailmoor -n $account -l external-id -x -d 'what you call it'

set -l key '__fish_seen_subcommand_from key'
complete -c mailmoor -n $key -a 'add list revoke'
complete -c mailmoor -n $key -l scope -x -a 'accounts:read accounts:write events:read webhooks:write admin operator' -d 'what it may do'
complete -c mailmoor -n $key -l local -d 'without the API, while the daemon is stopped'
complete -c mailmoor -n $key -l workspace -x -d 'where it is for'

set -l workspace '__fish_seen_subcommand_from workspace'
complete -c mailmoor -n $workspace -a 'add list'

set -l secrets '__fish_seen_subcommand_from secrets'
complete -c mailmoor -n $secrets -a rotate

set -l settings '__fish_seen_subcommand_from config'
complete -c mailmoor -n $settings -l check -d 'only say what is wrong'

set -l remote '__fish_seen_subcommand_from account key workspace'
complete -c mailmoor -n $remote -l url -x -d 'where the daemon is'
complete -c mailmoor -n $remote -l key-file -r -F -d 'an API key, - is standard input'

set -l configured '__fish_seen_subcommand_from diagnose serve account key workspace config backup restore secrets doctor'
complete -c mailmoor -n $configured -l config -r -F -d 'settings file'

set -l verbose '__fish_seen_subcommand_from diagnose replay serve'
complete -c mailmoor -n $verbose -s v -l verbose -d 'say more'

set -l telling '__fish_seen_subcommand_from diagnose explain replay causes account key workspace'
complete -c mailmoor -n $telling -s l -l lang -x -a 'en fi de pl th nl' -d 'language of the texts'
complete -c mailmoor -n $telling -l json -d 'print JSON'

set -l doctor '__fish_seen_subcommand_from doctor'
complete -c mailmoor -n $doctor -l egress -x -d 'knock at the ports of this host'
complete -c mailmoor -n $doctor -l here -d 'ask nobody else'
complete -c mailmoor -n $doctor -l json -d 'print JSON'

set -l every '__fish_seen_subcommand_from diagnose explain replay causes serve account key workspace config backup restore secrets doctor'
complete -c mailmoor -n $every -s '?' -l help -d 'show the options'
complete -c mailmoor -n $every -l usage -d 'show them shorter'
