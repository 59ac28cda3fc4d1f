import { TidemarkError } from '../../../schemas/errors.ts'

/** A systemd service that runs the agent. */
export interface UnitPlan {
  /** The unit's name without `.service`; its state folder and its file of secrets are named for it. */
  readonly name: string
  /** What wrote it, for whoever reads it. */
  readonly writtenBy: string
  /** Absolute path of the program. */
  readonly program: string
  readonly args: readonly string[]
  /** Variables it is started with, none of them secret. */
  readonly variables: Readonly<Record<string, string>>
}

/** Where systemd keeps the state of a unit. */
export function stateDir(name: string): string {
  return `/var/lib/${name}`
}

/** Where variables are read from that nobody but root may see. */
export function secretsFile(name: string): string {
  return `/etc/${name}.env`
}

/**
 * The text of the unit. What it allows: this host's /proc, how full its root is, a connection to the collector, and its own state
 * folder; nothing else of the machine. Two usual walls are missing: V8 makes code at run time (`MemoryDenyWriteExecute`),
 * and the load stands in /proc beside the processes (`ProcSubset`).
 */
export function unitText({ name, writtenBy, program, args, variables }: UnitPlan): string {
  return `# Written by \`${writtenBy}\`. Changes of your own: systemctl edit ${name}
[Unit]
Description=Tidemark agent: CPU, RAM and disk of this host
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${execLine(program, args)}
${environmentLines(variables)}# Secrets, one VARIABLE=value a line; the file belongs to root with mode 600, and may be absent.
EnvironmentFile=-${secretsFile(name)}
Restart=always
RestartSec=5s
# Wrong usage does not mend itself.
RestartPreventExitStatus=2
TimeoutStopSec=10s
StandardOutput=journal
StandardError=journal
SyslogIdentifier=${name}

DynamicUser=yes
StateDirectory=${name}
StateDirectoryMode=0700
UMask=0077
MemoryMax=192M
TasksMax=64

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
RemoveIPC=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

function environmentLines(variables: UnitPlan['variables']): string {
  return Object.entries(variables)
    .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
    .join('')
}

/** A command line as ExecStart takes it. Throws `E_USAGE` for what no unit file can hold. */
export function execLine(program: string, args: readonly string[]): string {
  // Variables are not expanded in the program, so a dollar stays single there.
  return [quoted(program), ...args.map((arg) => quoted(arg).replaceAll('$', '$$$$'))].join(' ')
}

/** One word of it: quoted where it is not plain, and free of specifiers (systemd.service(5), Command lines). */
function quoted(word: string): string {
  if (/[\x00-\x1f\x7f]/.test(word))
    throw new TidemarkError('E_USAGE', `${JSON.stringify(word)} cannot stand in a unit file`)
  const literal = word.replaceAll('%', '%%')
  if (/^[\w@%+=:,./$[\]-]+$/.test(literal)) return literal
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
