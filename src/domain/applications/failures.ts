import { DomainError } from '#src/base/errors.ts'

export class ProjectNotFound extends DomainError {
  readonly code = 'project.not_found'
  constructor(id: string) {
    super(`there is no project ${JSON.stringify(id)}`)
  }
}

export class ProjectNameTaken extends DomainError {
  readonly code = 'project.name_taken'
  constructor(name: string) {
    super(`there is a project with the name ${JSON.stringify(name)}`)
  }
}

export class ProjectIdTaken extends DomainError {
  readonly code = 'project.id_taken'
  constructor(id: string) {
    super(`the project id ${JSON.stringify(id)} is already taken`)
  }
}

/** Something of a project is not acceptable; the message tells what, and why. */
export class ProjectInvalid extends DomainError {
  readonly code = 'project.invalid'
}

/** Dossier's own project is what it is: its roles are those that this version knows, and it has no applications. */
export class ProjectFixed extends DomainError {
  readonly code = 'project.fixed'
  constructor() {
    super("this is Dossier's own project, which cannot be changed")
  }
}

export class ProjectNotActive extends DomainError {
  readonly code = 'project.not_active'
  constructor() {
    super('the project is inactive already')
  }
}

export class ProjectNotInactive extends DomainError {
  readonly code = 'project.not_inactive'
  constructor() {
    super('the project is active already')
  }
}

export class RoleTaken extends DomainError {
  readonly code = 'project.role_taken'
  constructor(key: string) {
    super(`the project has a role ${JSON.stringify(key)}`)
  }
}

export class RoleNotFound extends DomainError {
  readonly code = 'project.role_not_found'
  constructor(key: string) {
    super(`the project has no role ${JSON.stringify(key)}`)
  }
}

export class ApplicationNotFound extends DomainError {
  readonly code = 'application.not_found'
  constructor(id: string) {
    super(`there is no application ${JSON.stringify(id)} in the project`)
  }
}

export class ApplicationNameTaken extends DomainError {
  readonly code = 'application.name_taken'
  constructor(name: string) {
    super(`the project has an application with the name ${JSON.stringify(name)}`)
  }
}

export class ApplicationIdTaken extends DomainError {
  readonly code = 'application.id_taken'
  constructor(id: string) {
    super(`the application id ${JSON.stringify(id)} is already taken`)
  }
}

/** Something of an application is not acceptable; the message tells everything that is, and so do `faults`, each `field: reason`. */
export class ApplicationInvalid extends DomainError {
  readonly code = 'application.invalid'
  readonly faults: readonly string[]
  constructor(...faults: readonly string[]) {
    super(faults.join('; '))
    this.faults = faults
  }
}

export class ApplicationNotActive extends DomainError {
  readonly code = 'application.not_active'
  constructor() {
    super('the application is inactive already')
  }
}

export class ApplicationNotInactive extends DomainError {
  readonly code = 'application.not_inactive'
  constructor() {
    super('the application is active already')
  }
}

/** It proves who it is in another way than by a secret. */
export class ApplicationWithoutSecret extends DomainError {
  readonly code = 'application.without_secret'
  constructor() {
    super('the application proves who it is without a client secret')
  }
}

export class ApplicationKeyNotFound extends DomainError {
  readonly code = 'application.key_not_found'
  constructor(id: string) {
    super(`the application has no key ${JSON.stringify(id)}`)
  }
}
