/** Custom user data of an App Services app: the collection with a document for each user, and the function that runs before a user exists. */
import type { AppView } from '#src/domain/apps/app.ts'
import { customUserDataEdit, type Edit, functionEdit, functionIn } from '#src/domain/apps/editing.ts'
import type { AreaPage, Visit } from '../kit/area.ts'
import type { SentForm } from '../kit/sentForm.ts'
import { type FunctionsNeeds, functionPart, sourceLimitBytes, syntaxText } from './appFunctions.ts'
import { type Facts, jsonText, markOf, textOf } from './appPlace.ts'

export interface CustomUserDataNeeds extends FunctionsNeeds {
  readonly customDataKilobytes: number
}

const file = 'auth/custom_user_data.json'
const textFields = ['mongo_service_name', 'database_name', 'collection_name', 'user_id_field', 'on_user_creation_function_name'] as const
type TextField = (typeof textFields)[number]
type Texts = Readonly<Partial<Record<TextField, string | undefined>>>

const usualService = 'mongodb-atlas'
const creationName = 'onUserCreation'

/** A creation function to begin with: it makes the user's document. */
function beginningOf({ mongo_service_name: service = usualService, database_name, collection_name, user_id_field }: Texts): string {
  const text = (value = '') => JSON.stringify(value)
  return `exports = async function onUserCreation(user) {
  const documents = context.services.get(${text(service)}).db(${text(database_name)}).collection(${text(collection_name)})
  await documents.insertOne({ ${text(user_id_field)}: user.id, createdAt: new Date() })
}
`
}

export function customUserDataPages({ place, findSyntaxFault, customDataKilobytes }: CustomUserDataNeeds): readonly AreaPage[] {
  const partOf = ({ configuration }: AppView) => jsonText(configuration.customUserDataFile)
  const creationOf = ({ configuration }: AppView) => configuration.customUserDataFile.on_user_creation_function_name || creationName

  async function show(visit: Visit, view: AppView, facts: Facts = {}, status = 200): Promise<void> {
    const { customUserDataFile: kept, functions, dataSources } = view.configuration
    const name = creationOf(view)
    const creation = functions.get(name)
    const fault = creation && findSyntaxFault(creation.source)
    const services = [...new Set([...dataSources.keys(), usualService])]
    await place.show(
      visit,
      view,
      'custom-user-data',
      'console/appCustomUserData',
      {
        kept,
        isOn: kept.enabled,
        services,
        isServiceMissing: dataSources.size === 0,
        functions: [...functions.keys()],
        mark: markOf(partOf(view)),
        creation: {
          name,
          isThere: creation !== undefined,
          isUsed: kept.on_user_creation_function_name === name,
          mark: markOf(functionPart(view, name)),
        },
        source: creation?.source ?? beginningOf(kept),
        faults: fault ? { source: syntaxText(visit.texts, fault) } : {},
        mostKilobytes: customDataKilobytes,
        ...facts,
      },
      status,
    )
  }

  /** The data source that an app needs and has not yet. */
  const serviceEdit = ({ configuration: { dataSources } }: AppView, service: string): Edit =>
    service === usualService && !dataSources.has(usualService)
      ? { [`data_sources/${usualService}/config.json`]: `${jsonText({ name: usualService, type: 'mongodb-atlas' })}\n` }
      : {}

  const textsIn = (form: SentForm): Texts => Object.fromEntries(textFields.map((name) => [name, form.text(name) || undefined]))

  return [
    {
      method: 'GET',
      path: '/apps/:app/custom-user-data',
      permission: 'iam.read',
      handle: place.within((visit, view) => show(visit, view)),
    },
    {
      method: 'POST',
      path: '/apps/:app/custom-user-data',
      permission: 'iam.write',
      handle: place.within(async (visit, view, form) => {
        const texts = textsIn(form)
        const enabled = form.has('enabled')
        const facts = await place.write(visit, view, {
          part: partOf,
          mark: form.text('mark'),
          edit: (current) => ({
            ...(enabled && serviceEdit(current, texts.mongo_service_name ?? usualService)),
            ...customUserDataEdit({ ...current.configuration.customUserDataFile, ...texts, enabled }),
          }),
          place: { file, isField: (name) => textFields.some((each) => each === name) },
        })
        if (!facts) return visit.go(`${place.addressOf(view)}/custom-user-data`, 'saved')
        await show(visit, view, { kept: texts, isOn: enabled, mark: form.text('mark'), ...facts }, 400)
      }),
    },
    {
      method: 'POST',
      path: '/apps/:app/custom-user-data/creation',
      permission: 'iam.write',
      limitBytes: sourceLimitBytes,
      handle: place.within(async (visit, view, form) => {
        const { t } = visit.texts
        const name = creationOf(view)
        const source = textOf(form, 'source', view.configuration.functions.get(name)?.source)
        const refuse = ({ mark = form.text('mark'), conflict, ...facts }: Facts) => {
          const creation = { name, isThere: view.configuration.functions.has(name), isUsed: true, mark }
          return show(visit, view, { source, creation, ...(conflict !== undefined && { sourceConflict: conflict }), ...facts }, 400)
        }
        // What the form was about is no longer what is used: it is shown as it is now.
        if (form.text('name') !== name) return refuse({ problem: t('consoleApps.changedMeanwhile') })
        const fault = findSyntaxFault(source)
        if (fault) return refuse({ problem: t('consoleApps.faults'), faults: { source: syntaxText(visit.texts, fault) } })
        const facts = await place.write(visit, view, {
          part: (current) => functionPart(current, name),
          mark: form.text('mark'),
          edit: (current) => ({
            ...functionEdit(current, name, { fields: { private: true, run_as_system: true, ...functionIn(current, name) }, source }),
            ...customUserDataEdit({ ...current.configuration.customUserDataFile, on_user_creation_function_name: name }),
          }),
          place: { file: 'functions/config.json', isField: () => false },
        })
        if (facts) return refuse(facts)
        visit.go(`${place.addressOf(view)}/custom-user-data`, 'saved')
      }),
    },
  ]
}
